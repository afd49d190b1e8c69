import { defineConfig } from 'vitest/config'

/** `npm run test:kube`: on the cluster that KUBECONFIG names. See `kit/where.ts` for what else it needs. */
export default defineConfig({
  test: {
    include: ['test/kube/**/*.kube.ts'],
    globalSetup: ['test/kube/kit/where.ts', 'test/kit/elasticsearch/global-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 240_000,
    // One cluster, and what is measured is time, too.
    fileParallelism: false,
    pool: 'forks',
  },
})
