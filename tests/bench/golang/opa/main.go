// An ext_authz server around OPA's engine and nothing else: the least that a service which asks OPA in its own process
// has to do. It reads what the policy reads, keeps no decision log and answers with a status alone.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"os"
	"strings"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/open-policy-agent/opa/v1/rego"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
)

type server struct {
	auth.UnimplementedAuthorizationServer
	allow rego.PreparedEvalQuery
}

func (s *server) Check(ctx context.Context, request *auth.CheckRequest) (*auth.CheckResponse, error) {
	results, err := s.allow.Eval(ctx, rego.EvalInput(input(request.GetAttributes())))
	if err == nil && results.Allowed() {
		return answer(code.Code_OK), nil
	}
	return answer(code.Code_PERMISSION_DENIED), nil
}

func input(attributes *auth.AttributeContext) map[string]any {
	http := attributes.GetRequest().GetHttp()
	headers := make(map[string]any, len(http.GetHeaders()))
	for name, value := range http.GetHeaders() {
		headers[name] = value
	}
	path, _, _ := strings.Cut(http.GetPath(), "?")
	segments := []any{}
	for _, segment := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		segments = append(segments, segment)
	}
	return map[string]any{
		"method":   http.GetMethod(),
		"host":     http.GetHost(),
		"segments": segments,
		"headers":  headers,
		"source":   attributes.GetSource().GetAddress().GetSocketAddress().GetAddress(),
	}
}

func answer(c code.Code) *auth.CheckResponse {
	return &auth.CheckResponse{Status: &status.Status{Code: int32(c)}}
}

func main() {
	socket := flag.String("socket", "", "path of the Unix socket")
	policy := flag.String("policy", "", "file with the package authz, which says allow")
	flag.Parse()
	module, err := os.ReadFile(*policy)
	if err != nil {
		log.Fatal(err)
	}
	query := rego.New(rego.Query("data.authz.allow"), rego.Module(*policy, string(module)))
	allow, err := query.PrepareForEval(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", *socket)
	if err != nil {
		log.Fatal(err)
	}
	peer := grpc.NewServer()
	auth.RegisterAuthorizationServer(peer, &server{allow: allow})
	log.Fatal(peer.Serve(listener))
}
