// A PHP that is WebAssembly, used as the program `php`: php.mjs VERSION FOLDER ARGUMENTS… (FOLDER holds node_modules).
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [version, folder, ...words] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(createRequire(`${folder}/`).resolve(name)));
const node = await load('@php-wasm/node');
const { PHP } = await load('@php-wasm/universal');
// Without one, flock() fails; newer versions bring one of their own that locks the host's files.
const Locks = node.FileLockManagerForNode ?? node.FileLockManagerForPosix;
const emscriptenOptions = { processId: process.pid, ENV: { ...process.env }, ...(Locks && { fileLockManager: new Locks() }) };
const php = new PHP(await node.loadNodeRuntime(version, { emscriptenOptions }));
node.useHostFilesystem(php);
const run = await php.cli(['php', ...words], { env: { ...process.env } });
const pump = (from, to) => from.pipeTo(new WritableStream({ write: (bytes) => new Promise((done) => to.write(bytes, done)) }));
await Promise.all([pump(run.stdout, process.stdout), pump(run.stderr, process.stderr)]);
process.exit(await run.exitCode);
