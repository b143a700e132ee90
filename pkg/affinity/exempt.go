package affinity

import (
	"bytes"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// maxAgent is the maximum length in bytes of a User-Agent that is compared. A longer one is never exempt.
const maxAgent = 512

// exemption selects the requests that are distributed without affinity. A match in any of the lists is enough.
type exemption struct {
	methods []string
	paths   []string // without a trailing slash
	agents  [][]byte // ASCII letters in lower case
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
		out.agents = append(out.agents, lowerASCII(agent))
	}
	return out
}

func lowerASCII(text string) []byte {
	lower := []byte(text)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] += 'a' - 'A'
		}
	}
	return lower
}

func (e *exemption) matches(req Request) bool {
	return e.matchesMethod(req.Method()) || e.matchesPath(req.Path()) || e.matchesAgent(req)
}

func (e *exemption) matchesMethod(method []byte) bool {
	for _, m := range e.methods {
		if string(method) == m {
			return true
		}
	}
	return false
}

// matchesPath compares path segments: /static matches /static and /static/a, but not /statics.
func (e *exemption) matchesPath(path []byte) bool {
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

func (e *exemption) matchesAgent(req Request) bool {
	if len(e.agents) == 0 {
		return false
	}
	agent, _ := req.Header("User-Agent")
	if len(agent) > maxAgent {
		return false
	}
	var space [maxAgent]byte
	lower := space[:len(agent)]
	for i, c := range agent {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	for _, part := range e.agents {
		if bytes.Contains(lower, part) { // linear time for any part
			return true
		}
	}
	return false
}
