import { suite } from './faults/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
