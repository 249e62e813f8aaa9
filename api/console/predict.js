// SPDX-License-Identifier: Apache-2.0
// A prediction for an image that is dropped here, and which kind of memory supported it.
import { hasToken, post } from './api.js'
import { by, count, counted, dropZone, el, note, percent, short, svg, terms } from './dom.js'

const LARGEST = 32 << 20 // bytes; the server has a limit of its own

// By what the file is, not by its name.
function mediaOf(bytes) {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return 'image/png'
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return 'image/jpeg'
  return null
}

const meter = (share, name) =>
  svg('svg', { class: 'bar-line', width: '100%', height: 12, 'aria-hidden': 'true' },
    svg('rect', { width: '100%', height: 12, class: 'rest' }), svg('rect', { width: `${100 * share}%`, height: 12, class: name }))

function support({ hits, exact, trained, weight_of_memory }) {
  if (hits === 0)
    return el('p', {}, 'No instance of the memory was near: the answer is that of the weights alone.')
  return el('div', {},
    el('p', {}, `${counted(hits, 'instance')} of the memory ${hits === 1 ? 'was' : 'were'} near: `,
      el('strong', {}, `${count(exact)} exact`), ', enrolled after training, and ',
      el('strong', {}, `${count(trained)} trained`), ', which the weights have seen. ',
      weight_of_memory === 1
        ? 'The answer is read from them; what the weights say without any memory is not mixed in.'
        : `They speak with a weight of ${percent(weight_of_memory)}; the rest is what the weights say without any memory.`),
    el('p', { class: 'soft' }, 'How many, never whose: a prediction names nobody.'))
}

function answer({ predictions: [best], model, memory }) {
  return [
    el('h4', { id: 'predicted', tabindex: -1 }, `${best.label}, ${percent(best.probability)}`),
    el('table', { class: 'top' },
      el('caption', { class: 'hidden' }, 'The most probable labels'),
      el('thead', { class: 'hidden' }, el('tr', {}, ['Label', 'Probability', 'As a bar'].map((name) => el('th', { scope: 'col' }, name)))),
      el('tbody', {}, best.top.map((one) =>
        el('tr', {}, el('th', { scope: 'row' }, one.label), el('td', {}, percent(one.probability)), el('td', {}, meter(one.probability, 'exact')))))),
    el('h5', {}, 'What supported it'),
    support(best.explain),
    terms([
      ['Model', model.name],
      ['Memory', `${count(memory.n)} instances`],
      ['Its digest', short(memory.digest)],
    ]),
  ]
}

let preview // a blob: URL

function showImage(file, bytes, media) {
  if (preview) URL.revokeObjectURL(preview)
  preview = URL.createObjectURL(new Blob([bytes], { type: media }))
  by('preview').replaceChildren(el('img', { src: preview, alt: `The image ${file.name}` }))
}

export function clearPrediction() {
  if (preview) URL.revokeObjectURL(preview)
  preview = undefined
  by('preview').replaceChildren()
  by('prediction').replaceChildren()
}

const REFUSED = {
  401: 'The server does not know this token, or it has ended.',
  403: 'This token may not ask for predictions: that takes the scope predict.',
}

async function predict([file]) {
  clearPrediction()
  const bytes = file.size <= LARGEST ? new Uint8Array(await file.arrayBuffer()) : new Uint8Array()
  const media = mediaOf(bytes)
  if (!media) {
    by('prediction').replaceChildren(note('bad', 'That is neither a PNG nor a JPEG of at most 32 MiB: nothing was sent.'))
    return
  }
  showImage(file, bytes, media)
  try {
    const reply = await post('/predict?explain=1', media, bytes)
    if (!hasToken()) return // forgotten in the meantime
    by('prediction').replaceChildren(...answer(reply))
    by('predicted').focus({ preventScroll: true })
  } catch (error) {
    by('prediction').replaceChildren(note('bad', REFUSED[error.status] ?? `${error.message}.`))
  }
}

export function startPredict() {
  dropZone(by('image-drop'), by('image'), predict)
}
