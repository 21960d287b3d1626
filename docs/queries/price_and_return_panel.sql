-- How did the symbols move beside each other in the last ten sessions, one column per symbol?
-- total_return_close is in the terms of the build: a later distribution changes its scale.
pivot (
    select session_date, symbol, round(simple_return_1d, 6) as simple_return_1d
    from price
    where session_date > (select session_date - 14 from build)
)
on symbol
using first(simple_return_1d)
order by session_date;
