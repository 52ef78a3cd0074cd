import { suite } from './caps/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
