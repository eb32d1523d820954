// Reads [[seed, [[law, n], ...]], ...] from the standard input and writes the numbers of random.js.
import { readFileSync } from "node:fs";
const { Random } = await import(process.argv[2]);
const jobs = JSON.parse(readFileSync(0, "utf8"));
const numbers = (random, asked) => asked.map(([law, n]) => [...random[law](n)]);
console.log(JSON.stringify(jobs.map(([seed, asked]) => numbers(new Random(BigInt(seed)), asked))));
