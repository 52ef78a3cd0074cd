import { suite } from './readers/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
