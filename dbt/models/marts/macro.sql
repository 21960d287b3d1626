with versions as (

    select * from {{ ref('stg_macro') }}
    where value is not null

),

one_at_a_time as (

    select * from versions
    qualify row_number() over (
        partition by series_id, known_at order by observation_date desc
    ) = 1

),

-- A revision of an older month is no news about the newest one.
news as (

    select * from one_at_a_time
    qualify observation_date = max(observation_date) over (
        partition by series_id order by known_at
        rows between unbounded preceding and current row
    )

),

sessions as (

    select each.session_date, each.known_at_cut, series.series_id
    from {{ ref('stg_sessions') }} as each
    cross join (select distinct series_id from news) as series

)

select
    sessions.series_id,
    sessions.session_date,
    news.observation_date,
    news.value,
    sessions.session_date - news.observation_date as observation_age_days,
    news.known_at,
    news.known_at_basis
from sessions
asof join news
    on sessions.series_id = news.series_id
    and sessions.known_at_cut >= news.known_at
order by sessions.series_id, sessions.session_date
