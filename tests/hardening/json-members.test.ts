import { suite } from './json-members/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
