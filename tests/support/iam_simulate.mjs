// Ask @cloud-copilot/iam-simulate, a second evaluator of IAM policies, about requests.
// In: {"account", "questions": [{"policies": [...], "requests": [{"action", "resource", "context"}]}]}
// Out: of each question one answer a request: "Allowed", "ImplicitlyDenied", ... or an error.
import { text } from "node:stream/consumers";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const { account, questions } = JSON.parse(await text(process.stdin));

async function answer(policies, { action, resource, context }) {
  const done = await runSimulation(
    {
      request: {
        action,
        principal: `arn:aws:iam::${account}:user/deployer`,
        resource: { resource, accountId: account },
        contextVariables: context,
      },
      identityPolicies: policies.map((policy, at) => ({ name: String(at), policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  return done.resultType === "error" ? JSON.stringify(done.errors) : done.overallResult;
}

const answers = questions.map(({ policies, requests }) =>
  Promise.all(requests.map((request) => answer(policies, request))),
);
console.log(JSON.stringify(await Promise.all(answers)));
