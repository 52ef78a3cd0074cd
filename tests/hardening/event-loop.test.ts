import { suite } from './event-loop/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
