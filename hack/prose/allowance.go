package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

const allowedHeader = `# The number of findings that each directory may have. A directory that is not listed may have none.
# "go run ./hack/prose -write" lowers the numbers to what it finds. It never raises one.
# If files move to another directory, move their number by hand.
`

// readAllowed reads lines of a directory and a number.
func readAllowed(file string) (map[string]int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	allowed := map[string]int{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		dir, number, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%s: line %q is not a directory and a number", file, line)
		}
		allowed[dir] = n
	}
	return allowed, nil
}

// count returns the number of findings of each directory.
func count(found []finding) map[string]int {
	n := map[string]int{}
	for _, f := range found {
		n[f.dir()]++
	}
	return n
}

// exceeding returns the directories with more findings than allowed, sorted.
func exceeding(found []finding, allowed map[string]int) []string {
	var over []string
	for dir, n := range count(found) {
		if n > allowed[dir] {
			over = append(over, dir)
		}
	}
	slices.Sort(over)
	return over
}

// lower writes what was found where that is less than allowed. Without a file, all that was found becomes allowed.
func lower(file string, found []finding) error {
	allowed, err := readAllowed(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fresh := err != nil
	numbers := count(found)
	if !fresh {
		for dir := range numbers {
			numbers[dir] = min(numbers[dir], allowed[dir])
		}
	}
	return os.WriteFile(file, []byte(formatAllowed(numbers)), 0o644)
}

func formatAllowed(numbers map[string]int) string {
	var lines []string
	for dir, n := range numbers {
		if n > 0 {
			lines = append(lines, fmt.Sprintf("%s %d\n", dir, n))
		}
	}
	slices.Sort(lines)
	return allowedHeader + strings.Join(lines, "")
}
