import { testShortForm } from './short-form.ts'
import { suite } from './soak/suite.ts'

testShortForm(suite)
