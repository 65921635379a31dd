/** What Stryker leaves alone in the sources, and why no test could tell the difference. */
export const strykerPlugins = [
  {
    kind: "Ignore",
    name: "without-effect",
    value: {
      shouldIgnore(path) {
        const { parentPath } = path;
        if (path.isCallExpression() && path.node.callee.type === "Identifier" && path.node.callee.name === "assert") {
          return "an assertion states what cannot happen";
        }
        if (!parentPath?.isNewExpression() || parentPath.node.callee.type !== "Identifier") return undefined;
        if (path.isTemplateLiteral()) return "the message of an error is read by people";
        return parentPath.node.callee.name === "Writer"
          ? "the capacity of a Writer only spares it from growing"
          : undefined;
      },
    },
  },
];
