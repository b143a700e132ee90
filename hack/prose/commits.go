package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const maxSubject = 72

var (
	// subject is "pkg: verb object", where several packages are separated by ", ".
	subject = regexp.MustCompile(`^[\w./{}*-]+(, ?[\w./{}*-]+)*: ([a-z][\w-]*) \S`)
	// notVerb has words that begin a clause or a noun phrase.
	notVerb = regexp.MustCompile(`^(a|an|the|that|this|those|these|what|when|where|which|who|whose|how|why|if|no|not|one|two|it|` +
		`its|each|every|all|some|of|for|in|on|at|by|with|from|to|as|is|are|\w+(ing|ed))$`)
	// verbInED has imperatives that notVerb would refuse.
	verbInED = regexp.MustCompile(`^(bring|embed|feed|need|seed|shed|speed|string|ring|ping|spring|exceed|proceed|succeed)$`)
	hunk     = regexp.MustCompile(`^@@ -\S+ \+(\d+)(?:,(\d+))? @@`)
)

// mergeBase returns the revision that the branch began at, or "" if it is unknown.
func mergeBase(root, base string) string {
	if base != "" {
		return base
	}
	for _, main := range []string{"origin/main", "main"} {
		if _, err := git(root, "rev-parse", "--quiet", "--verify", main+"^{commit}"); err != nil {
			continue
		}
		if out, err := git(root, "merge-base", main, "HEAD"); err == nil {
			return strings.TrimSpace(out)
		}
	}
	return ""
}

// checkCommits returns the findings in the commit subjects since base. Merges are left out.
func checkCommits(root, base string, deny []phrase) ([]finding, error) {
	if base == "" {
		return nil, nil
	}
	out, err := git(root, "log", "--no-merges", "--format=%h %s", base+"..HEAD")
	if err != nil {
		return nil, err
	}
	var found []finding
	for line := range strings.Lines(out) {
		id, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		found = append(found, checkSubject("commit "+id, text, deny)...)
	}
	return found, nil
}

func checkSubject(id, text string, deny []phrase) []finding {
	var found []finding
	add := func(problem string) { found = append(found, finding{file: id, text: problem + ": " + text}) }
	if n := len([]rune(text)); n > maxSubject {
		add(fmt.Sprintf("the subject has %d characters, more than %d", n, maxSubject))
	}
	m := subject.FindStringSubmatch(text)
	if m == nil || notVerb.MatchString(m[2]) && !verbInED.MatchString(m[2]) {
		add(`the subject is not "pkg: verb object"`)
	}
	if m != nil && m[2] == "rename" {
		return found // it has to name the old term
	}
	for _, f := range checkPhrases(deny, passage{file: id, text: text}) {
		found = append(found, finding{file: id, text: f.text})
	}
	return found
}

// lineSet has the lines of each file that changed. The set of a file that is new as a whole is nil.
type lineSet map[string]map[int]bool

func (s lineSet) has(file string, line int) bool {
	lines, ok := s[file]
	return ok && (lines == nil || lines[line])
}

// changedLines returns the lines that the working tree has added since base.
func changedLines(root, base string) (lineSet, error) {
	if base == "" {
		return nil, nil
	}
	out, err := git(root, "diff", "--unified=0", "--no-color", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/", base)
	if err != nil {
		return nil, err
	}
	untracked, err := git(root, "ls-files", "-z", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	set := parseDiff(out)
	for _, file := range splitZero(untracked) {
		set[file] = nil
	}
	return set, nil
}

func parseDiff(diff string) lineSet {
	set := lineSet{}
	file := ""
	for line := range strings.Lines(diff) {
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
			file = strings.TrimSpace(name)
			set[file] = map[int]bool{}
			continue
		}
		m := hunk.FindStringSubmatch(line)
		if m == nil || set[file] == nil {
			continue
		}
		first, _ := strconv.Atoi(m[1])
		n := 1
		if m[2] != "" {
			n, _ = strconv.Atoi(m[2])
		}
		for i := range n {
			set[file][first+i] = true
		}
	}
	return set
}
