import { testShortForm } from './short-form.ts'
import { suite } from './slow-peers/suite.ts'

testShortForm(suite)
