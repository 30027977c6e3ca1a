// How libphonenumber-js reads each row: a JSON text per line, empty where it is no valid number.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
const { parsePhoneNumberFromString } = createRequire(process.argv[2])("libphonenumber-js/max");
const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const [region, text] = JSON.parse(line);
  const found = parsePhoneNumberFromString(text, region);
  process.stdout.write(JSON.stringify(found?.isValid() ? found.number : "") + "\n");
}
