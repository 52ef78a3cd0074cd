import { suite } from './money/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
