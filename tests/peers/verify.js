/* verify.js LIBRARY OFFSET_MS < LINES: each line {"secret", "headers", "body" (base64)} is verified by the public
 * library of Standard Webhooks in the folder LIBRARY, at a time OFFSET_MS ahead of the real one. Prints a line for each:
 * ok, or why not. */
"use strict";
const [library, offset] = [process.argv[2], Number(process.argv[3])];
const { Webhook } = require(library);
const now = Date.now.bind(Date);
Date.now = () => now() + offset;

for (const line of require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean)) {
        const { secret, headers, body } = JSON.parse(line);
        try {
                new Webhook(secret).verify(Buffer.from(body, "base64").toString("utf8"), headers);
                console.log("ok");
        } catch (e) {
                console.log(`${e.name}: ${e.message}`);
        }
}
