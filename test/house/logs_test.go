package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// logCalls are the methods of a logr.Logger: the index of the message, -1 for none. Keys and values follow.
var logCalls = map[string]int{"Info": 0, "Error": 1, "WithValues": -1}

var (
	logKey     = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)
	logMessage = regexp.MustCompile(`^[A-Z]`)
)

func TestLogs_messagesAndKeys(t *testing.T) {
	calls := 0
	for _, p := range packages(t) {
		if from := tableKey(p.relPath()); from == "test" || from == "hack" {
			continue
		}
		for _, name := range p.GoFiles {
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && isLogCall(call) {
					calls++
					for _, problem := range logProblems(call) {
						t.Errorf("%s: %s", files.Position(call.Pos()), problem)
					}
				}
				return true
			})
		}
	}
	if calls < 20 {
		t.Errorf("%d calls of loggers: they are not found", calls)
	}
}

// isLogCall reports whether a call is that of a method of a logger, which is recognized by its name.
func isLogCall(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	_, ok = logCalls[method.Sel.Name]
	return ok && strings.Contains(strings.ToLower(types.ExprString(method.X)), "log")
}

func logProblems(call *ast.CallExpr) (problems []string) {
	at := logCalls[call.Fun.(*ast.SelectorExpr).Sel.Name]
	if at >= 0 {
		if message, ok := literal(call.Args[at]); !ok || !logMessage.MatchString(message) {
			problems = append(problems, "the message must be a constant that starts with a capital")
		}
	}
	for i := at + 1; i < len(call.Args); i += 2 {
		key, ok := literal(call.Args[i])
		if !ok || !logKey.MatchString(key) || key == "what" || key == "of" {
			problems = append(problems, "the key "+types.ExprString(call.Args[i])+" must be a camelCase noun")
		}
	}
	return problems
}

// literal returns the text of a string literal.
func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

func TestLogs_problemsAreFound(t *testing.T) {
	for text, want := range map[string]int{
		`log.Info("Good", "camelCase", 1)`:       0,
		`x.log.V(1).Info("lower case")`:          1,
		`l.Log.Error(err, "Good", "what", x)`:    1,
		`l.Log.Error(err, "bad "+x, "Of", x)`:    2,
		`o.Log.WithValues("snake_case", "good")`: 1,
	} {
		e, err := parser.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		if call := e.(*ast.CallExpr); !isLogCall(call) || len(logProblems(call)) != want {
			t.Errorf("%s: %q, want %d problems", text, logProblems(call), want)
		}
	}
}
