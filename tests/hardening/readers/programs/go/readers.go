// Real servers in Go that answer with what they have read of a request. Argument: the routes, as JSON. Prints the ports, as JSON.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/bytedance/sonic"
	"github.com/gin-gonic/gin"
	jsoniter "github.com/json-iterator/go"
)

// call has the fields that servers in Go declare; what is not there has not been read.
type call struct {
	Model               *string         `json:"model,omitempty" form:"model"`
	Messages            []any           `json:"messages,omitempty"`
	Prompt              any             `json:"prompt,omitempty"`
	MaxTokens           *int            `json:"max_tokens,omitempty" form:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens,omitempty" form:"max_completion_tokens"`
	MaxOutputTokens     *int            `json:"max_output_tokens,omitempty" form:"max_output_tokens"`
	N                   *int            `json:"n,omitempty" form:"n"`
	BestOf              *int            `json:"best_of,omitempty"`
	LogitBias           map[string]any  `json:"logit_bias,omitempty"`
	Options             *map[string]any `json:"options,omitempty"`
	Models              []string        `json:"models,omitempty"`
}

type answer struct {
	Route  string            `json:"route"`
	Model  string            `json:"model,omitempty"`
	Query  map[string]string `json:"query"`
	Bodies []any             `json:"bodies"`
}

type unmarshal func([]byte, any) error

func firstOnly(raw []byte, into any) error {
	return json.NewDecoder(bytes.NewReader(raw)).Decode(into)
}

// bodiesOf reads a body of JSON with structs and with maps.
func bodiesOf(raw []byte, readers ...unmarshal) []any {
	bodies := []any{}
	for _, read := range readers {
		var typed call
		if read(raw, &typed) == nil {
			bodies = append(bodies, typed)
		}
		var loose map[string]any
		if read(raw, &loose) == nil && loose != nil {
			bodies = append(bodies, loose)
		}
	}
	return bodies
}

func firsts(values url.Values) map[string]string {
	taken := map[string]string{}
	for name := range values {
		taken[name] = values.Get(name)
	}
	return taken
}

func handle(route string, readers ...unmarshal) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		raw, _ := io.ReadAll(request.Body)
		request.Body = io.NopCloser(bytes.NewReader(raw))
		bodies := bodiesOf(raw, readers...)
		// What is read in part before something is wrong stays read: few look at the error.
		_ = request.ParseMultipartForm(1 << 24)
		if strings.Contains(request.Header.Get("Content-Type"), "form") {
			bodies = append(bodies, firsts(request.Form))
		}
		write(response, answer{route, request.PathValue("model"), firsts(request.URL.Query()), bodies})
	}
}

func write(response io.Writer, said answer) {
	text, err := json.Marshal(said)
	if err == nil {
		_, _ = response.Write(text)
	}
}

func mux(readers ...unmarshal) http.Handler {
	server := http.NewServeMux()
	for _, route := range routes() {
		server.Handle("POST "+route, handle(route, readers...))
	}
	return server
}

func ginEngine() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	for _, route := range routes() {
		engine.POST(strings.Replace(route, "{model}", ":model", 1), func(context *gin.Context) {
			bodies := []any{}
			var typed, form call
			raw, _ := io.ReadAll(context.Request.Body)
			context.Request.Body = io.NopCloser(bytes.NewReader(raw))
			if context.ShouldBindJSON(&typed) == nil {
				bodies = append(bodies, typed)
			}
			context.Request.Body = io.NopCloser(bytes.NewReader(raw))
			if context.ShouldBind(&form) == nil {
				bodies = append(bodies, form)
			}
			write(context.Writer, answer{route, context.Param("model"), firsts(context.Request.URL.Query()), bodies})
		})
	}
	return engine
}

func routes() []string {
	var all []string
	_ = json.Unmarshal([]byte(os.Args[1]), &all)
	return all
}

func main() {
	std := jsoniter.ConfigCompatibleWithStandardLibrary
	servers := map[string]http.Handler{
		"go":       mux(json.Unmarshal, firstOnly),
		"gin":      ginEngine(),
		"jsoniter": mux(std.Unmarshal, jsoniter.Unmarshal, jsoniter.ConfigFastest.Unmarshal),
		"sonic":    mux(sonic.Unmarshal, sonic.ConfigStd.Unmarshal, sonic.ConfigFastest.Unmarshal),
	}
	ports := map[string]int{}
	for name, handler := range servers {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		ports[name] = listener.Addr().(*net.TCPAddr).Port
		go func() { _ = http.Serve(listener, handler) }()
	}
	text, _ := json.Marshal(ports)
	fmt.Println(string(text))
	_, _ = io.Copy(io.Discard, os.Stdin)
}
