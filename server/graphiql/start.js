// Starts GraphiQL on the endpoint that serves this page. Uploads go by scripts: see docs on the multipart request.
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: location.pathname }),
    defaultQuery: `# What is weaker than it should be, and why. Ctrl-Enter runs the query; the book icon shows every type.
{
  product(number: "VMC850") {
    part { name }
    weakLinks(top: 5) {
      links { rank label loss { value low high unit } reasons { text } }
    }
  }
}
`,
  }),
);
