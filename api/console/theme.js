// SPDX-License-Identifier: Apache-2.0
// Light or dark, before anything is drawn: as chosen on this page, else as the system has it.
{
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const kept = () => {
    try {
      return localStorage.getItem('theme')
    } catch {
      return null // storage is switched off
    }
  }
  const apply = () => {
    document.documentElement.dataset.theme = kept() ?? (dark.matches ? 'dark' : 'light')
  }
  dark.addEventListener('change', apply)
  apply()
}
