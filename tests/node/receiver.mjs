// An app that takes forwarded events and believes those alone that the published Standard Webhooks library verifies.
// The first line on stdin is the secret; the first line on stdout says where the app listens, every further one what came.
// It ends with whoever holds its stdin.

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { Webhook } from 'standardwebhooks';

const lines = createInterface({ input: process.stdin });
lines.once('line', (secret) => {
  const webhook = new Webhook(secret);
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    try {
      const event = webhook.verify(Buffer.concat(chunks), request.headers);
      console.log(JSON.stringify({ id: request.headers['webhook-id'], event }));
      response.writeHead(204).end();
    } catch (error) {
      console.log(JSON.stringify({ id: request.headers['webhook-id'], refused: error.constructor.name, why: error.message }));
      response.writeHead(401).end();
    }
  });
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
});
lines.on('close', () => process.exit());
