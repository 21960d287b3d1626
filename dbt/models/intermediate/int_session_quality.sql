{#- Counts from where symbols begin and end, so that no bar is read. -#}
with sessions as (

    select session_date, known_at_cut from {{ ref('stg_sessions') }}

),

lives as (

    select
        bars.first_session_date,
        case when bars.session_date < cut.oldest_fresh_session_date then bars.session_date end
            as last_session_date
    from {{ ref('int_last_bar') }} as bars
    cross join {{ ref('stg_cut') }} as cut

),

-- Memberships of one symbol that touch or overlap, in whichever universe, are one.
memberships as (

    select
        symbol,
        member_from,
        coalesce(member_until, date '9999-12-31') as member_until,
        coalesce(member_from <= 1 + max(coalesce(member_until, date '9999-12-31')) over (
            partition by symbol order by member_from
            rows between unbounded preceding and 1 preceding
        ), false) as goes_on
    from {{ ref('stg_universe') }}

),

spells as (

    select
        symbol,
        min(member_from) as member_from,
        max(member_until) as member_until
    from (
        select
            *,
            count(*) filter (where not goes_on) over (
                partition by symbol order by member_from
                rows between unbounded preceding and current row
            ) as spell
        from memberships
    ) as numbered
    group by symbol, spell

),

steps as (

    select first_session_date as day, 1 as begun, 0 as gone, 0 as members from lives
    union all
    select last_session_date + 1, 0, 1, 0 from lives
    where last_session_date is not null
    union all
    select member_from, 0, 0, 1 from spells
    union all
    select member_until + 1, 0, 0, -1 from spells
    where member_until < date '9999-12-31'

),

counted as (

    select
        day,
        sum(sum(begun)) over (order by day) as begun_count,
        sum(sum(gone)) over (order by day) as gone_count,
        sum(sum(members)) over (order by day) as member_count
    from steps
    group by day

),

rejections as (

    select
        day as session_date,
        count(distinct (subject, known_at)) as rejected_count
    from {{ ref('stg_rejections') }}
    where dataset = 'prices'
    group by day

),

final as (

    select
        sessions.session_date,
        sessions.known_at_cut,
        (counted.begun_count - counted.gone_count)::bigint as expected_count,
        counted.gone_count::bigint as gone_count,
        case when exists (from {{ ref('stg_universe') }}) then counted.member_count end::bigint
            as member_count,
        coalesce(rejections.rejected_count, 0) as rejected_count
    from sessions
    asof join counted
        on sessions.session_date >= counted.day
    left join rejections
        on sessions.session_date = rejections.session_date
    where counted.begun_count > 0

)

select * from final
order by session_date
