package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"
)

// stage is what one stage of a Dockerfile says of an image.
type stage struct {
	copies []fileCopy
	config config
	args   map[string]string
}

// fileCopy is a file of the image: to is its absolute path there.
type fileCopy struct{ from, to string }

// config is the part of an image's configuration that a Dockerfile sets, in the words of the OCI image specification.
type config struct {
	User         string              `json:"User,omitempty"`
	ExposedPorts map[string]struct{} `json:"ExposedPorts,omitempty"`
	Env          []string            `json:"Env,omitempty"`
	Entrypoint   []string            `json:"Entrypoint,omitempty"`
	Cmd          []string            `json:"Cmd,omitempty"`
	Labels       map[string]string   `json:"Labels,omitempty"`
}

// lastStage reads the last stage of a Dockerfile, which must be FROM scratch. An instruction that this program does not
// know is an error, so that no image is other than its Dockerfile says.
func lastStage(text string, buildArgs map[string]string) (stage, error) {
	var s stage
	base := ""
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch {
		case instruction == "" || strings.HasPrefix(instruction, "#"):
		case instruction == "FROM":
			base = rest
			s = stage{args: map[string]string{}, config: config{
				ExposedPorts: map[string]struct{}{}, Labels: map[string]string{},
				// Docker gives every image this, also one that is made from scratch.
				Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
			}}
		case base == "scratch":
			if err := s.apply(instruction, rest, buildArgs); err != nil {
				return stage{}, fmt.Errorf("%s %s: %w", instruction, rest, err)
			}
		}
	}
	if base != "scratch" {
		return stage{}, fmt.Errorf("the last stage is FROM %q; only scratch can be assembled here", base)
	}
	return s, nil
}

func (s *stage) apply(instruction, rest string, buildArgs map[string]string) error {
	rest = os.Expand(rest, func(name string) string { return s.args[name] })
	switch instruction {
	case "ARG":
		name, value, _ := strings.Cut(rest, "=")
		if given, ok := buildArgs[name]; ok {
			value = given
		}
		s.args[name] = value
	case "COPY":
		return s.copy(strings.Fields(rest))
	case "USER":
		s.config.User = rest
	case "EXPOSE":
		for _, port := range strings.Fields(rest) {
			s.config.ExposedPorts[port+"/tcp"] = struct{}{}
		}
	case "LABEL":
		name, value, _ := strings.Cut(rest, "=")
		s.config.Labels[name] = strings.Trim(value, `"`)
	case "ENTRYPOINT":
		return json.Unmarshal([]byte(rest), &s.config.Entrypoint)
	case "CMD":
		return json.Unmarshal([]byte(rest), &s.config.Cmd)
	default:
		return fmt.Errorf("not known here; known are ARG, CMD, COPY, ENTRYPOINT, EXPOSE, LABEL and USER")
	}
	return nil
}

func (s *stage) copy(words []string) error {
	if len(words) > 0 && strings.HasPrefix(words[0], "--from=") {
		words = words[1:]
	}
	if len(words) != 2 || !path.IsAbs(words[1]) {
		return fmt.Errorf("%q is not one file and an absolute path", words)
	}
	to := words[1]
	if strings.HasSuffix(to, "/") {
		to += path.Base(words[0])
	}
	s.copies = append(s.copies, fileCopy{words[0], path.Clean(to)})
	return nil
}
