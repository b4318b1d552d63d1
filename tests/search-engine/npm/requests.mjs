// Makes calls with Elastic's client, and prints the requests that it sends, as one JSON array.
// Usage: node requests.mjs CLIENT, with the calls on stdin: [[API, PARAMETERS], …], such as ["indices.getDataStream", {"name": "x"}]

import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const [client] = process.argv.slice(2);
const { Client } = await import(client);

const requests = [];
const server = createServer(async (request, response) => {
  const body = await text(request);
  requests.push({ method: request.method, path: request.url, body: body === "" ? null : JSON.parse(body) });
  response.setHeader("x-elastic-product", "Elasticsearch");
  response.setHeader("content-type", "application/json");
  response.end("{}");
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

const elasticsearch = new Client({ node: `http://127.0.0.1:${server.address().port}` });
for (const [api, parameters] of JSON.parse(await text(process.stdin))) {
  const names = api.split(".");
  const method = names.pop();
  const part = names.reduce((part, name) => part[name], elasticsearch);
  await part[method](parameters);
}
await elasticsearch.close();
server.close();
console.log(JSON.stringify(requests));
