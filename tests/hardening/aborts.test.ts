import { suite } from './aborts/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
