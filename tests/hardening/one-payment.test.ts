import { suite } from './one-payment/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
