import { suite } from './key-destinations/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
