{#- A period begins with the close of the last session that is a whole period old. -#}
with periods as (

    select *
    from (
        values
        ('1_month', interval 1 month),
        ('3_months', interval 3 months),
        ('1_year', interval 1 year)
    ) as lengths (period, length)

),

final as (

    select
        periods.period,
        max(sessions.session_date) as start_session_date
    from periods
    cross join {{ ref('stg_cut') }} as cut
    inner join {{ ref('stg_sessions') }} as sessions
        on sessions.session_date <= cut.session_date - periods.length
    group by periods.period

)

select * from final
order by period
