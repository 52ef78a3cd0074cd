import { suite } from './bad-input/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
