import { suite } from './routes/suite.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)
