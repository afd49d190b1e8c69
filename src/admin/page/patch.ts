/** Brings what a page shows up to date. In the browser only: see `pieces.ts`. Types are only what is used of it. */
import { visible, type Content } from './pieces.ts'

export interface PageNode {
  readonly nodeType: number
  readonly localName?: string
  readonly childNodes: ArrayLike<PageNode>
  readonly lastChild: PageNode | null
  data?: string
  textContent: string
  appendChild(node: PageNode): void
  replaceChild(made: PageNode, before: PageNode): void
  removeChild(node: PageNode): void
  getAttributeNames(): readonly string[]
  getAttribute(name: string): string | null
  setAttribute(name: string, value: string): void
  removeAttribute(name: string): void
}

declare const document: { createElement(tag: string): PageNode; createTextNode(text: string): PageNode }

/**
 * Makes the children of an element those that are given. What is as it should be is left alone: a selection, a focus and how
 * far something is scrolled stay. Texts stay texts, whatever is in them.
 */
export function patch(parent: PageNode, contents: readonly Content[]): void {
  for (const [at, content] of contents.entries()) {
    const present = parent.childNodes[at]
    if (present !== undefined && isLike(present, content)) {
      update(present, content)
      continue
    }
    const made = typeof content === 'string' ? document.createTextNode('') : document.createElement(content.tag)
    update(made, content)
    if (present === undefined) parent.appendChild(made)
    else parent.replaceChild(made, present)
  }
  while (parent.childNodes.length > contents.length && parent.lastChild !== null) parent.removeChild(parent.lastChild)
}

/** 3 is a text (DOM, `Node.TEXT_NODE`). */
function isLike(node: PageNode, content: Content): boolean {
  return typeof content === 'string' ? node.nodeType === 3 : node.localName === content.tag
}

function update(node: PageNode, content: Content): void {
  if (typeof content === 'string') {
    const text = visible(content)
    if (node.data !== text) node.data = text
    return
  }
  const { attributes, children } = content
  for (const name of node.getAttributeNames()) if (!(name in attributes)) node.removeAttribute(name)
  for (const [name, value] of Object.entries(attributes)) {
    const text = visible(value)
    if (node.getAttribute(name) !== text) node.setAttribute(name, text)
  }
  patch(node, children)
}

export const patchFunctions = [patch, isLike, update]
