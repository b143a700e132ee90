package translate

import (
	"fmt"
	"strings"
)

// maxReferences bounds the references to groups in a target, and so the length of rewritten paths.
const maxReferences = 16

// readRewrite returns the target of rewriting.
func (r *annotationReader) readRewrite() string {
	v := r.setting("rewrite-target", "rewrite-target")
	if problem := checkRewrite(v.text); problem != "" {
		r.invalidValue(v.key, problem)
		return ""
	}
	return v.text
}

// checkRewrite returns the problem of the target of rewriting, or "".
func checkRewrite(target string) string {
	for i := range len(target) {
		if target[i] == '$' && (i+1 == len(target) || target[i+1] < '0' || target[i+1] > '9') {
			return "it may contain $1 to $9, but no variables of nginx"
		}
	}
	plain := strings.ReplaceAll(target, "$", "")
	switch {
	case len(target) > maxPath, strings.Count(target, "$") > maxReferences:
		return fmt.Sprintf("it must have at most %d bytes and %d references to groups", maxPath, maxReferences)
	case !isURLText(plain), strings.Contains(plain, "#"):
		return "it must be a path, with the bytes that a URL may contain"
	case strings.HasPrefix(target, "http://"), strings.HasPrefix(target, "https://"):
		return checkRewriteURL(target)
	}
	path, _, _ := strings.Cut(target, "?")
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return "it must not contain dot segments"
		}
	}
	return ""
}

// checkRewriteURL returns the problem of a target that is a URL. Requests must not choose its host.
func checkRewriteURL(target string) string {
	_, rest, _ := strings.Cut(target, "://")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if end == 0 || strings.ContainsAny(rest[:end], "$@") {
		return "the host of the URL must not contain references to groups or user names"
	}
	if _, problem := normalizePath(rest); problem != "" {
		return "the URL " + problem
	}
	return ""
}
