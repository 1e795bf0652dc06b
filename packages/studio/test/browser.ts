/** Debian's Chromium under playwright-core. Where none is installed, the tests that need it are skipped, loudly. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const places = [process.env.CLEW_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
export const chromiumPath = places.find((path) => path !== undefined && existsSync(path))
if (!chromiumPath) {
  console.warn(
    'SKIPPED: there is no Chromium, so the pages of the studio are not tested. Install it: apt-get install chromium',
  )
}

/** It asks nobody for anything by itself. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath as string,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
