-- SPDX-License-Identifier: BSD-2-Clause
-- For wrk: each connection thinks for so many milliseconds, on the average, between an answer and its next request.

local mean_ms

function init(arguments)
	mean_ms = tonumber(arguments[1])
end

function delay()
	return math.random(mean_ms / 2, mean_ms * 3 / 2)
end
