/** Expressions that a browser evaluates in a page, for what a person would see. */

/** Pixels of each chart in the colour of its first or second line, as the scheme has it now. */
export const inkOf = `(() => {
  const probe = document.createElement('canvas').getContext('2d')
  const colours = ['--c0', '--c1'].map((name) => {
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim()
    probe.fillRect(0, 0, 1, 1)
    return [...probe.getImageData(0, 0, 1, 1).data]
  })
  return Object.fromEntries([...document.querySelectorAll('.plot')].map((plot) => {
    const canvas = plot.querySelector('canvas')
    if (canvas === null) return [plot.id, 0]
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let pixels = 0
    for (let at = 0; at < data.length; at += 4) {
      const isNear = colours.some(([r, g, b]) =>
        Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 24)
      if (isNear && data[at + 3] > 128) pixels += 1
    }
    return [plot.id, pixels]
  }))
})()`

/** Texts that are seen with less contrast than WCAG 2.2 asks for (1.4.3, 4.5:1). */
export const faintTexts = `(() => {
  const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number)
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const backOf = (element) => {
    for (let each = element; each !== null; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor
      if (numbers(colour)[3] !== 0) return colour
    }
    return 'rgb(255, 255, 255)'
  }
  const found = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const { parentElement: element, data } = texts.currentNode
    if (data.trim() === '' || !element.checkVisibility() || /^(SCRIPT|STYLE)$/.test(element.tagName)) continue
    const [a, b] = [light(getComputedStyle(element).color), light(backOf(element))]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    if (ratio < 4.5) found.push([data.slice(0, 40), ratio])
  }
  return found
})()`
