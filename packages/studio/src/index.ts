/** The public face of `@clew/studio`. */
export { type Studio, type StudioOptions, startStudio } from './studio.ts'
export type * from './wire.ts'
