import { testShortForm } from './short-form.ts'
import { suite } from './supply-chain/suite.ts'

testShortForm(suite)
