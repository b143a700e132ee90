package affinity

import (
	"bytes"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// exemption is the requests that are spread without stickiness: any of the lists may name one.
type exemption struct {
	methods []string
	paths   []string // without a trailing slash
	agents  [][]byte // in lower case
}

func compileExemption(e *model.Exempt) *exemption {
	if e == nil {
		return nil
	}
	out := &exemption{methods: e.Methods}
	for _, path := range e.Paths {
		out.paths = append(out.paths, strings.TrimSuffix(path, "/"))
	}
	for _, agent := range e.UserAgents {
		out.agents = append(out.agents, []byte(strings.ToLower(agent)))
	}
	return out
}

func (e *exemption) covers(req Request) bool {
	return e.coversMethod(req.Method()) || e.coversPath(req.Path()) || e.coversAgent(req)
}

func (e *exemption) coversMethod(method []byte) bool {
	for _, m := range e.methods {
		if string(method) == m {
			return true
		}
	}
	return false
}

// coversPath compares by segment: /static covers /static and /static/a, and not /statics.
func (e *exemption) coversPath(path []byte) bool {
	for _, prefix := range e.paths {
		if len(path) < len(prefix) || string(path[:len(prefix)]) != prefix {
			continue
		}
		if len(path) == len(prefix) || path[len(prefix)] == '/' {
			return true
		}
	}
	return false
}

func (e *exemption) coversAgent(req Request) bool {
	if len(e.agents) == 0 {
		return false
	}
	agent, _ := req.Header("User-Agent")
	for _, part := range e.agents {
		if containsFold(agent, part) {
			return true
		}
	}
	return false
}

// containsFold reports whether part, which is in lower case, is in text in whatever case.
func containsFold(text, part []byte) bool {
	for i := 0; i+len(part) <= len(text); i++ {
		if bytes.EqualFold(text[i:i+len(part)], part) {
			return true
		}
	}
	return false
}
