import { suite } from './overload/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
