// An ext_authz server around cel-go and nothing else: what Go can do at its best with the rules of one benchmark. They
// are built in, routes are matched by hand, nobody is identified, nothing is recorded or explained.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
)

type server struct {
	auth.UnimplementedAuthorizationServer
	readOnly, fromInside, readers, writers cel.Program
}

func (s *server) Check(_ context.Context, request *auth.CheckRequest) (*auth.CheckResponse, error) {
	http := request.GetAttributes().GetRequest().GetHttp()
	path, _, _ := strings.Cut(http.GetPath(), "?")
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if http.GetHost() != "api.example.com" || !isOrders(segments) {
		return answer(code.Code_PERMISSION_DENIED), nil
	}
	values := map[string]any{
		"method":  http.GetMethod(),
		"headers": http.GetHeaders(),
		"tenant":  segments[2],
		"source":  request.GetAttributes().GetSource().GetAddress().GetSocketAddress().GetAddress(),
	}
	if denied, err := holds(s.readOnly, values); denied || err != nil {
		return answer(code.Code_PERMISSION_DENIED), nil
	}
	for _, either := range [][]cel.Program{{s.fromInside}, {s.readers, s.writers}} {
		if !anyHolds(either, values) {
			return answer(code.Code_PERMISSION_DENIED), nil
		}
	}
	return answer(code.Code_OK), nil
}

func isOrders(segments []string) bool {
	return (len(segments) == 4 || len(segments) == 5) &&
		segments[0] == "v1" && segments[1] == "tenants" && segments[3] == "orders"
}

func anyHolds(rules []cel.Program, values map[string]any) bool {
	for _, rule := range rules {
		if held, err := holds(rule, values); held && err == nil {
			return true
		}
	}
	return false
}

func holds(rule cel.Program, values map[string]any) (bool, error) {
	value, _, err := rule.Eval(values)
	if err != nil {
		return false, err
	}
	return value.Value() == true, nil
}

func answer(c code.Code) *auth.CheckResponse {
	return &auth.CheckResponse{Status: &status.Status{Code: int32(c)}}
}

func compiled(environment *cel.Env, expression string) cel.Program {
	ast, issues := environment.Compile(expression)
	if issues.Err() != nil {
		log.Fatal(issues.Err())
	}
	program, err := environment.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		log.Fatal(err)
	}
	return program
}

func main() {
	socket := flag.String("socket", "", "path of the Unix socket")
	flag.Parse()
	environment, err := cel.NewEnv(
		cel.OptionalTypes(), ext.Strings(),
		cel.Variable("method", cel.StringType), cel.Variable("tenant", cel.StringType),
		cel.Variable("source", cel.StringType), cel.Variable("headers", cel.MapType(cel.StringType, cel.StringType)),
	)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", *socket)
	if err != nil {
		log.Fatal(err)
	}
	peer := grpc.NewServer()
	auth.RegisterAuthorizationServer(peer, &server{
		readOnly:   compiled(environment, `method != "GET" && headers[?"x-maintenance"].orValue("off") == "on"`),
		fromInside: compiled(environment, `headers["x-forwarded-proto"] in ["http", "https"] && source.matches("^(10|127)[.]")`),
		readers:    compiled(environment, `method == "GET" && headers["x-tenant"] == tenant`),
		writers: compiled(environment, `method in ["POST", "PUT"] && headers["x-tenant"] == tenant
			&& "writer" in headers["x-roles"].split(",")`),
	})
	log.Fatal(peer.Serve(listener))
}
