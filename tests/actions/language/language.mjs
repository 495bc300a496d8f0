// GitHub's own reading of workflows, actions and expressions, as a filter: one JSON question in, one answer out.
//   {"check": {"kind": "workflow"|"action", "name": …, "text": …}}                → [message, …]
//   {"evaluate": [expression, …], "contexts": {…}, "status": "success"|"failure"} → [value, …]
import { readFileSync } from "node:fs";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { convertActionTemplate } from "@actions/workflow-parser/actions/action-template";
import { parseAction } from "@actions/workflow-parser/actions/action-parser";

const check = async ({ kind, name, text }) => {
  const [parse, convert] =
    kind === "workflow" ? [parseWorkflow, convertWorkflowTemplate] : [parseAction, convertActionTemplate];
  const { context, value } = parse({ name, content: text }, new NoOperationTraceWriter());
  if (value) await convert(context, value);
  return context.errors.getErrors().map((error) => error.message);
};

const statusFunctions = (status) =>
  Object.entries({
    success: status === "success",
    failure: status === "failure",
    always: true,
    cancelled: false,
  }).map(([name, holds]) => ({ name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(holds) }));

const evaluate = (expressions, contexts, status) => {
  const known = JSON.parse(JSON.stringify(contexts), data.reviver);
  const functions = statusFunctions(status);
  return expressions.map((text) => {
    const tree = new Parser(new Lexer(text).lex().tokens, Object.keys(contexts), functions).parse();
    const byName = new Map(functions.map((one) => [one.name, one]));
    return JSON.parse(JSON.stringify(new Evaluator(tree, known, byName).evaluate(), data.replacer));
  });
};

const question = JSON.parse(readFileSync(0, "utf8"));
const answer = question.check
  ? await check(question.check)
  : evaluate(question.evaluate, question.contexts, question.status);
process.stdout.write(JSON.stringify(answer));
