import { suite } from './draining/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
