import { suite } from './bombs/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
