package translate

// Nearest returns the word that needs the fewest edits to become text, or "" if every word needs more than half as many as
// text has bytes.
func Nearest(text string, words []string) string { return nearest(text, words) }

// nearest returns the word with the smallest edit distance to text. It returns "" if all distances are more than half the
// length of text, because then no word is likely to be meant.
func nearest(text string, words []string) string {
	best, fewest := "", len(text)/2+1
	for _, word := range words {
		if d := editDistance(text, word); d < fewest {
			best, fewest = word, d
		}
	}
	return best
}

// nearestOf returns the same word as nearest, and its edit distance. Among words at the same distance it prefers one for
// which isPreferred returns true.
func nearestOf(text string, words []string, isPreferred func(string) bool) (best string, distance int) {
	distance = len(text)/2 + 1
	for _, word := range words {
		if len(word)-len(text) > distance || len(text)-len(word) > distance {
			continue
		}
		d := editDistance(text, word)
		if d < distance || best != "" && d == distance && isPreferred(word) && !isPreferred(best) {
			best, distance = word, d
		}
	}
	return best, distance
}

// didYouMean returns a sentence with a leading space to append to a message, or "".
func didYouMean(text string, words []string) string {
	const longest = 256 // longer than all known words
	if len(text) > longest {
		return ""
	}
	if word := nearest(text, words); word != "" {
		return " Did you mean " + word + "?"
	}
	return ""
}

// editDistance returns the number of bytes to insert, delete or replace (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
