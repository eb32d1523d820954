// Reads [[seed, [[law, argument, n], ...]], ...] from the standard input and writes the numbers of random.js.
import { readFileSync } from "node:fs";
const { Random } = await import(process.argv[2]);
const calls = (random, law, argument, n) => (law === "labels" ? random.labels(argument, n) : [...random[law](n)]);
const jobs = JSON.parse(readFileSync(0, "utf8"));
console.log(
  JSON.stringify(
    jobs.map(([seed, asked]) => {
      const random = new Random(BigInt(seed));
      return asked.map(([law, argument, n]) => calls(random, law, argument, n));
    })
  )
);
