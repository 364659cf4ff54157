// Starts GraphiQL on the endpoint that serves this page. Uploads go by scripts: see docs on the multipart request.
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: location.pathname }),
    defaultQuery: `# Weak links of a product, with reasons and intervals. Ctrl-Enter runs the query; the book icon shows every type.
{
  parts(first: 10) {
    totalCount
    nodes { number name(locale: ZH) issuer { id name(locale: ZH) } }
  }
}
`,
  }),
);
