// SPDX-License-Identifier: Apache-2.0
// Puts the page together.
import { get } from './api.js'
import { by } from './dom.js'
import { openLog } from './log.js'
import { startOperator } from './operator.js'
import { clearPrediction, startPredict } from './predict.js'
import { startReceipts } from './receipt.js'
import { showService } from './service.js'

const OTHER = { light: 'dark', dark: 'light' }

function showTheme() {
  const { theme } = document.documentElement.dataset
  by('theme').setAttribute('aria-pressed', String(theme === 'dark'))
}

by('theme').addEventListener('click', () => {
  const theme = OTHER[document.documentElement.dataset.theme]
  document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem('theme', theme) // nothing else is ever kept there
  } catch {
    // storage is switched off: until the page is closed
  }
  showTheme()
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', showTheme)
showTheme()

const log = openLog(get)
startReceipts(log)
startPredict()
startOperator(log, () => {
  clearPrediction()
  showService(log)
})
await showService(log)
document.documentElement.dataset.loaded = 'true'
