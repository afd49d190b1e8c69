/** Why Node's permission model is off (docs/security.md): should one of these fail, it may be worth another look. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { temporaryTree, type Tree } from '../kit/agent-tree.ts'

/** @returns what the script prints, with nothing allowed but the tree */
function runIn(tree: Tree, script: string): string {
  const allowed = [`--allow-fs-read=${tree.root}/*`, `--allow-fs-write=${tree.root}/*`]
  const { stdout, stderr } = spawnSync(process.execPath, ['--permission', ...allowed, '-e', script], {
    encoding: 'utf8',
    cwd: tree.root,
  })
  return `${stdout}${stderr}`
}

test('it forbids fsync, also of a file that may be written: no checkpoint would be safe', () => {
  const tree = temporaryTree()
  const script = `const fs = require('node:fs')
    const file = fs.openSync(${JSON.stringify(tree.at('a'))}, 'w')
    fs.writeSync(file, 'x')
    console.log('written')
    fs.fsyncSync(file)`
  const said = runIn(tree, script)
  expect(said).toContain('written')
  expect(said).toContain('ERR_ACCESS_DENIED')
})

test('it follows a symlink out of what is allowed: the attack that it would have to stop', () => {
  const tree = temporaryTree()
  const outside = temporaryTree()
  outside.write('secret', 'the secret of another')
  tree.link('a.log', outside.at('secret'))
  const read = (at: string) =>
    runIn(tree, `console.log(require('node:fs').readFileSync(${JSON.stringify(at)}, 'utf8'))`)
  expect(read(outside.at('secret')), 'it is on').toContain('ERR_ACCESS_DENIED')
  expect(read(tree.at('a.log'))).toContain('the secret of another')
})
