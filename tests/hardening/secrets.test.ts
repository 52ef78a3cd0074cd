import { suite } from './secrets/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
