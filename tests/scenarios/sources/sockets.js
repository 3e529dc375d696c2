// SPDX-License-Identifier: BSD-2-Clause
//
// One event loop that asks another server in each request, over a few connections. usage: sockets.js PORT BACKEND CONNECTIONS
const http = require('http')
const [port, backend, connections] = process.argv.slice(2).map(Number)
const agent = new http.Agent({ keepAlive: true, maxSockets: connections })

http.createServer((_, answer) => {
	http.get({ host: '127.0.0.1', port: backend, path: '/infer', agent }, (found) => {
		found.resume()
		found.on('end', () => answer.end('hello'))
	}).on('error', () => answer.destroy())
}).listen(port, '127.0.0.1')
